//! The sockets that the service listens on, bound before anything else: ports
//! below 1024 are for root alone, who the service may not be for long.

use std::io::ErrorKind;
use std::net::TcpListener;

use anyhow::Context as _;
use squall_server::Listeners;

use crate::config::settings::Listen;

/// Ports below this need a right.
const PRIVILEGED_BELOW: u16 = 1024;

/// Sockets that are bound, and that nobody takes connections from yet.
pub(crate) struct Sockets {
    main: TcpListener,
    admin: Option<TcpListener>,
}

impl Sockets {
    /// Binds what the settings say.
    ///
    /// # Errors
    ///
    /// Fails if an address cannot be had.
    pub(crate) fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let main = bind(&listen.host, listen.port)?;
        let admin = match &listen.admin {
            Some(admin) => {
                let bound = bind(&admin.host, admin.port);
                Some(bound.context("`admin-listen` cannot be had")?)
            }
            None => None,
        };
        Ok(Self { main, admin })
    }

    /// Hands them to the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// Fails if the runtime cannot take them.
    pub(crate) fn listen(self) -> anyhow::Result<Listeners> {
        let hand_over = |socket| {
            let listener = tokio::net::TcpListener::from_std(socket);
            listener.context("the runtime cannot take a socket")
        };
        Ok(Listeners {
            main: hand_over(self.main)?,
            admin: self.admin.map(hand_over).transpose()?,
        })
    }
}

fn bind(host: &str, port: u16) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind((host, port));
    let bound = bound.and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    let is_refused = |error: &std::io::Error| error.kind() == ErrorKind::PermissionDenied;
    let help = match &bound {
        Err(error) if is_refused(error) && port < PRIVILEGED_BELOW => {
            " (ports below 1024 are root's: start it as root with `run-as`, or with the capability \
             NET_BIND_SERVICE)"
        }
        _ => "",
    };
    bound.with_context(|| format!("cannot listen on `{host}` port {port}{help}"))
}
