<%@ Page Language="C#" %>
<script runat="server">
void Page_Load(object sender, EventArgs e) {
    var info = new System.Diagnostics.ProcessStartInfo("wkhtmltopdf.exe", "https://intranet/report");
    info.UseShellExecute = false;
    System.Diagnostics.Process.Start(info).WaitForExit();
    title.InnerText = Server.HtmlEncode(Request.QueryString["title"]);
}
</script>
