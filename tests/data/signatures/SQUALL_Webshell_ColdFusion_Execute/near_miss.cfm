<cfexecute name="/usr/bin/uptime" arguments="-p" variable="r" timeout="5"></cfexecute><cfoutput>#r# #HTMLEditFormat(url.name)#</cfoutput>
