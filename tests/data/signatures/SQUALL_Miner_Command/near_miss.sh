# the protocol stratum of the clock is shown by chronyc
chronyc tracking | grep Stratum
nohup ./example -o results.csv -u alice --level=1 &
curl -o page.html https://www.example.net:8443/ -u name
