// Splits a command such as `module::function` at the colons.
use kerberos::ticket;
use crypto::hash;
fn main() { token::parse("a::b"); }
