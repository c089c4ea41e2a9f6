//! Which running service a command is about: the one that the configuration
//! describes, unless an address is given.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Arg, ArgAction, ArgMatches};
use squall_client::{Client, ClientConfig};

use crate::config;
use crate::config::settings::{Listen, Settings};

/// The settings that tell where the service listens.
const SETTINGS: [&str; 6] = [
    config::TEMPLATE,
    "server-host",
    "server-port",
    "admin-listen",
    "server-cert",
    "server-key",
];

/// The flag that names a certificate to show.
const CERTIFICATE: &str = "client-cert";

/// The arguments that say which service is meant.
pub(crate) fn args() -> impl Iterator<Item = Arg> {
    let url = Arg::new("url")
        .long("url")
        .value_name("URL")
        .help("Address of the service; its token, if it asks for one, is taken from SQUALL_TOKEN or from here (http://name:TOKEN@host) [default: where the configuration says that it listens]");
    let insecure = Arg::new("insecure")
        .long("insecure")
        .help("Take any certificate, a self-signed one for instance")
        .action(ArgAction::SetTrue);
    [url, insecure, certificate_arg()]
        .into_iter()
        .chain(config::args_of(&SETTINGS))
        .map(|arg| arg.hide_short_help(false))
}

/// The argument that names a certificate to show.
pub(crate) fn certificate_arg() -> Arg {
    Arg::new(CERTIFICATE)
        .long(CERTIFICATE)
        .value_name("FILE")
        .help("Client certificate to show, with its key: one file in PEM form")
        .value_parser(clap::value_parser!(PathBuf))
}

/// Reads the certificate to show, if one is named.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub(crate) fn certificate(arguments: &ArgMatches) -> anyhow::Result<Option<Vec<u8>>> {
    let path = arguments.get_one::<PathBuf>(CERTIFICATE);
    path.map(|path| {
        std::fs::read(path)
            .with_context(|| format!("cannot read the client certificate `{}`", path.display()))
    })
    .transpose()
}

/// A running service, or one that should run.
pub(crate) struct Running {
    /// Its address.
    pub(crate) url: String,
    /// A client of it.
    pub(crate) client: Client,
}

impl Running {
    /// Returns the service that is meant.
    ///
    /// # Errors
    ///
    /// Fails if the configuration is wrong, or the address is none.
    pub(crate) fn of(
        arguments: &ArgMatches,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> anyhow::Result<Self> {
        let (url, own) = match arguments.get_one::<String>("url") {
            Some(url) => (url.clone(), false),
            None => {
                let settings: Settings = config::load(arguments, variables)?.settings;
                (url_of(&settings.listen), true)
            }
        };
        let client = Client::new(&ClientConfig {
            url,
            token: crate::token_command::of_environment(),
            // The certificate need not name this machine's own address, and
            // nobody else can listen there.
            insecure: own || arguments.get_flag("insecure"),
            certificate: certificate(arguments)?,
        })?;
        Ok(Self {
            // Without the token.
            url: client.base().as_str().trim_end_matches('/').to_owned(),
            client,
        })
    }
}

/// Returns the address at which this machine reaches the service: that for
/// administrators, where there is one, since only there is everything.
fn url_of(listen: &Listen) -> String {
    let scheme = match listen.tls {
        Some(_) => "https",
        None => "http",
    };
    let (host, port) = match &listen.admin {
        Some(admin) => (admin.host.as_str(), admin.port),
        None => (listen.host.as_str(), listen.port),
    };
    let host = match host {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    format!("{scheme}://{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_endpoint;
    use crate::config::settings::Tls;

    #[test]
    fn the_address_is_one_that_this_machine_can_reach() {
        for (host, url) in [
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "127.0.0.1"),
            ("::", "[::1]"),
            ("fe80::1", "[fe80::1]"),
            ("scan.example.org", "scan.example.org"),
        ] {
            let mut listen = Listen {
                host: host.to_owned(),
                port: 8080,
                admin: None,
                tls: None,
                clients: None,
            };
            assert_eq!(url_of(&listen), format!("http://{url}:8080"));
            listen.tls = Some(Tls::SelfSigned);
            assert_eq!(url_of(&listen), format!("https://{url}:8080"));
            listen.admin = parse_endpoint("[::]:8443");
            assert_eq!(url_of(&listen), "https://[::1]:8443");
        }
    }
}
