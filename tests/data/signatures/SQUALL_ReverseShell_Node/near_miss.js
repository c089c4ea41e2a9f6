const net = require("net");
const { spawn } = require("child_process");
const gzip = spawn("gzip", ["-c"]);
process.stdin.pipe(gzip.stdin);
gzip.stdout.pipe(process.stdout);
net.connect(8125, "localhost").end("built:1|c");
