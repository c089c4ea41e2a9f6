<%
ClassLoader loader = getClass().getClassLoader();
java.io.InputStream text = loader.getResourceAsStream("messages.properties");
Object handler = Class.forName("example.Handler").newInstance();
out.println(request.getParameter("page") == null ? "start" : "page");
%>
