import base64, zlib
TEMPLATE = zlib.decompress(base64.b64decode(b"ZWNobyBpbmVydCB0ZXN0IGZpbGUsIG5vdGhpbmcgZWxzZQ==ZWNobyBpbmVydCB0ZXN0IGZpbGUsIG5vdGhpbmcgZWxzZQ=="))
exec(compile(open("settings.py").read(), "settings.py", "exec"), {})
