vssadmin list shadows
vssadmin list shadowstorage
wmic shadowcopy get id,installdate
vssadmin resize shadowstorage /for=C: /on=C: /maxsize=10%%
