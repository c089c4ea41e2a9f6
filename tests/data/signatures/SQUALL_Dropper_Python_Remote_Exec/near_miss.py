import urllib.request, json
data = json.loads(urllib.request.urlopen("https://www.example.net/status.json").read())
exec(open("settings.py").read())
