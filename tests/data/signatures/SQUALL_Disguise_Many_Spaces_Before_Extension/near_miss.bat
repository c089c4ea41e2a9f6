@echo inert
