//! The sockets that the service listens on, bound before anything else: ports
//! below 1024 are for root alone, who the service may not be for long.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, ToSocketAddrs as _};

use anyhow::Context as _;
use squall_server::Listeners;
use tokio::net::TcpSocket;

use crate::config::settings::Listen;

/// Ports below this need a right.
const PRIVILEGED_BELOW: u16 = 1024;

/// Connections that wait to be taken.
const BACKLOG: u32 = 1024;

/// Sockets that are bound, and that nobody can connect to yet: a service that
/// can be reached must be able to be stopped in order, too.
pub(crate) struct Sockets {
    main: TcpSocket,
    admin: Option<TcpSocket>,
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

    /// Lets clients connect, and hands the sockets to the runtime that this is
    /// called in.
    ///
    /// # Errors
    ///
    /// Fails if the system or the runtime refuses.
    pub(crate) fn listen(self) -> anyhow::Result<Listeners> {
        let listen = |socket: TcpSocket| socket.listen(BACKLOG).context("cannot listen");
        Ok(Listeners {
            main: listen(self.main)?,
            admin: self.admin.map(listen).transpose()?,
        })
    }
}

fn bind(host: &str, port: u16) -> anyhow::Result<TcpSocket> {
    let bound = bind_first(host, port);
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

/// Binds the first of the host's addresses that can be had.
fn bind_first(host: &str, port: u16) -> io::Result<TcpSocket> {
    let mut refusal = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        match bind_address(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn bind_address(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart need not wait for connections of before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
