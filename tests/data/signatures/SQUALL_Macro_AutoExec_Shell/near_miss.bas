Attribute VB_Name = "ThisDocument"
Sub AutoOpen()
  Call Prepare
End Sub
Sub OpenManual()
  Shell "notepad.exe manual.txt", vbNormalFocus
End Sub
