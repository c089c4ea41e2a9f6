Attribute VB_Name = "ThisDocument"
Sub Document_Open()
  ActiveDocument.Fields.Update
  StatusBar = "Fields are up to date"
End Sub
Sub Rates()
  Workbooks.Open "https://www.example.net/rates.csv"
End Sub
