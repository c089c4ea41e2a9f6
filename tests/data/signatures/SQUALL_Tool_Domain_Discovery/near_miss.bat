whoami
nltest /sc_query:example.local
net group "Sales" /domain
dsquery user -name alice*
