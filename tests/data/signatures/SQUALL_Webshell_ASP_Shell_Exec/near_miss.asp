<%
Set fso = Server.CreateObject("Scripting.FileSystemObject")
Set mail = Server.CreateObject("CDO.Message")
mail.To = Request.Form("to")
mail.Send
%>
