//! `squall top`: a running service, live, on a terminal.
//!
//! One thread asks the service, one listens to the keyboard, and this one draws:
//! the screen answers also when the service does not.

mod ask;
mod line;
mod screen;
mod terminal;
mod view;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Context as _;
use clap::{ArgMatches, Command};
use termion::event::{Event, Key};
use termion::input::TermRead as _;

use crate::running::{self, Running};
use terminal::Terminal;
use view::View;

/// The command's name.
pub(crate) const NAME: &str = "top";
/// How often it is looked whether the terminal has another size.
const LOOK: Duration = Duration::from_millis(250);

/// What makes the screen another.
enum Said {
    /// How the service is doing.
    State(Box<ask::State>),
    /// A key that quits was pressed, or the program is told to end.
    Stop,
}

/// Returns the command's description.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Watch a running service: rates, queue, threads, sources, latest findings; q quits")
        .args(running::args())
}

/// Runs the command.
///
/// # Errors
///
/// Fails if the configuration is wrong, or if there is no terminal.
pub(crate) fn run(
    arguments: &ArgMatches,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<()> {
    let running = Running::of(arguments, variables)?;
    anyhow::ensure!(
        std::io::stdout().is_terminal() && std::io::stdin().is_terminal(),
        "this needs a terminal; `squall status` does not"
    );
    let mut view = View::new(&running.url);
    let (say, said) = channel();
    ask::start(running.client, say.clone())?;
    let mut terminal = Terminal::take().context("cannot use the terminal")?;
    listen(say).context("cannot listen to the keyboard")?;
    let mut drawn_at = None;
    loop {
        let size = terminal::size();
        if drawn_at != Some(size) {
            let lines = screen::lines(&view, size.0, size.1);
            terminal.draw(&lines, size).context("cannot draw")?;
            drawn_at = Some(size);
        }
        match said.recv_timeout(LOOK) {
            Ok(Said::State(state)) => {
                view.update(*state);
                drawn_at = None;
            }
            Ok(Said::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Starts the thread that listens to the keyboard. It waits for keys until the
/// program ends.
fn listen(say: Sender<Said>) -> std::io::Result<()> {
    let listen = move || {
        let mut events = std::io::stdin().events().map_while(Result::ok);
        // Also when the terminal is gone.
        let _ = events.find(quits);
        let _ = say.send(Said::Stop);
    };
    let thread = std::thread::Builder::new().name("keys".to_owned());
    thread.spawn(listen).map(drop)
}

fn quits(event: &Event) -> bool {
    // Of those with Ctrl the terminal makes no signals now.
    matches!(
        event,
        Event::Key(Key::Char('q' | 'Q') | Key::Esc | Key::Ctrl('c' | 'd'))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_usual_keys_quit() {
        assert!(quits(&Event::Key(Key::Char('q'))));
        assert!(quits(&Event::Key(Key::Ctrl('c'))));
        assert!(!quits(&Event::Key(Key::Char('c'))));
        assert!(!quits(&Event::Unsupported(vec![1])));
    }
}
