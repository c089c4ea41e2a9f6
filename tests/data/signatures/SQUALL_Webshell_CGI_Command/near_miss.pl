#!/usr/bin/perl
use CGI qw(param);
print "Content-type: text/html\n\n";
my $page = param("page");
my $date = `date +%F`;
system("/usr/bin/logger", "page viewed");
print "<p>$date</p>";
