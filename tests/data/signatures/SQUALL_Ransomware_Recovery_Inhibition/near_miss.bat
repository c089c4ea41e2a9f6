bcdedit /enum
bcdedit /set {default} recoveryenabled Yes
wbadmin get versions
reagentc /info
fsutil usn queryjournal C:
