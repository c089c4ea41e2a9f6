<%
javax.script.ScriptEngine engine = new javax.script.ScriptEngineManager().getEngineByName("js");
Object total = engine.eval("1 + 2");
out.println(total + " " + (request.getParameter("e") != null));
%>
