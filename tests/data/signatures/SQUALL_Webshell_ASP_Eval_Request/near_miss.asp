<%
' Shows the order that was requested.
Dim order
order = Request.QueryString("order")
set rows = connection.Execute("select id from orders where open = 1")
Response.Write Server.HTMLEncode(order)
%>
<script>
client.executeRequest({pathName: "/orders", method: "get"}).then(show);
</script>
