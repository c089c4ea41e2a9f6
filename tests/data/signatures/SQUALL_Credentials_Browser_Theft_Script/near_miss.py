import sqlite3
# Counts the saved logins of a profile, without reading any password.
rows = sqlite3.connect("Login Data").execute("SELECT count(*) FROM logins")
print(rows.fetchone())
