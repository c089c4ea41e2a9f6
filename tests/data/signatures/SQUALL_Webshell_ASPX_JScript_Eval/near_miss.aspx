<%@ Page Language="JScript" %>
<script runat="server">
function Page_Load() { title.Text = Server.HtmlEncode(Request.QueryString["title"]); }
// eval is "unsafe" and is not used here
</script>
