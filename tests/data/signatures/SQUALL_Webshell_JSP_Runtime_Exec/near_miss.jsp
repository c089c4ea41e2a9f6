<%@ page import="java.util.*" %>
<% String name = request.getParameter("name");
long free = Runtime.getRuntime().freeMemory();
out.println("free: " + free + " " + org.owasp.encoder.Encode.forHtml(name)); %>
