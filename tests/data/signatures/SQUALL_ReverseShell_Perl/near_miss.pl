use Socket;
socket(my $s, PF_INET, SOCK_STREAM, getprotobyname("tcp")) or die "socket: $!";
connect($s, sockaddr_in(25, inet_aton("mail.example.net"))) or die "connect: $!";
open(STDIN, "<", "/dev/null");
exec("/usr/sbin/exampled", "--foreground");
