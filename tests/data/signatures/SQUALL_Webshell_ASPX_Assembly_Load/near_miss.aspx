<%@ Page Language="C#" %><%
var a = System.Reflection.Assembly.GetExecutingAssembly();
Response.Write("version " + a.GetName().Version + " for " + Server.HtmlEncode(Request.QueryString["who"]));
%>
