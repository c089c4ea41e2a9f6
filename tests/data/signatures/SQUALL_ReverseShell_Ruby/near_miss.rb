require "socket"
s = TCPSocket.new("localhost", 8125)
s.puts "deploys:1|c"
system("sh deploy.sh")
IO.popen("uptime") { |out| puts out.read }
