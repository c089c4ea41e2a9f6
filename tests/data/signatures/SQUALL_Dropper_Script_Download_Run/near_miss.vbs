' Stores the exchange rates of the day.
Set x = CreateObject("MSXML2.XMLHTTP")
x.open "GET", "https://www.example.net/rates.csv", False
x.send
Set s = CreateObject("ADODB.Stream")
s.Open : s.Type = 1 : s.Write x.responseBody
s.SaveToFile "rates.csv", 2
