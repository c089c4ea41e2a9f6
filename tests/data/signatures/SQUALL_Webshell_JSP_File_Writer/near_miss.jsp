<%
java.io.FileWriter log = new java.io.FileWriter("/var/log/example/visits.log", true);
log.write(request.getParameter("page") == null ? "-" : "page");
log.close();
%>
