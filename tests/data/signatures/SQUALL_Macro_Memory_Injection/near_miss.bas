Attribute VB_Name = "ThisDocument"
Private Declare PtrSafe Sub RtlMoveMemory Lib "kernel32" (d As Any, s As Any, ByVal l As Long)
Private Declare PtrSafe Function GetTickCount Lib "kernel32" () As Long
