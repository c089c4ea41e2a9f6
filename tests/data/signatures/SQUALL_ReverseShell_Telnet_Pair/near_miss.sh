# talks to the mail server
(sleep 1; echo QUIT) | telnet mail.example.net 25 | tee session.txt
telnet towel.example.net
