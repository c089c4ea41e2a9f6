//! Telling whether a member is the only one of its archive, which is known
//! only when the archive ends.
//!
//! The first member waits for the second or for the end, if a heuristic would
//! speak of it alone; everything else is passed on at once. So at most one
//! member more than otherwise is in memory, and only in archives that begin
//! with a program.

use std::mem;

use crate::heuristics;
use crate::unpack::Member;

/// The first member of an archive, waiting to hear whether it is the only one.
pub(crate) struct LoneMember<'a> {
    container_type: &'a str,
    state: State,
}

enum State {
    /// No member has come.
    Empty,
    /// One has come and waits.
    Waiting(Member),
    /// One was passed on.
    Passed,
}

impl<'a> LoneMember<'a> {
    /// Begins a container of the type given.
    pub(crate) fn of(container_type: &'a str) -> Self {
        Self {
            container_type,
            state: State::Empty,
        }
    }

    /// Takes the next member and returns those to scan now, in their order.
    pub(crate) fn next(&mut self, member: Member) -> impl Iterator<Item = Member> + use<> {
        let is_first = matches!(self.state, State::Empty);
        let waits = is_first
            && heuristics::asks_if_alone(self.container_type, &member.name, &member.content);
        if waits {
            self.state = State::Waiting(member);
            return None.into_iter().chain(None);
        }
        let before = match mem::replace(&mut self.state, State::Passed) {
            State::Waiting(first) => Some(first),
            State::Empty | State::Passed => None,
        };
        before.into_iter().chain(Some(member))
    }

    /// Ends the container and returns the member that was the only one, if it
    /// has waited.
    pub(crate) fn end(self) -> Option<Member> {
        match self.state {
            State::Waiting(member) => Some(member),
            State::Empty | State::Passed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Member {
        Member {
            name: name.to_owned(),
            content: b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec(),
            is_part: false,
        }
    }

    fn names(members: impl Iterator<Item = Member>) -> Vec<String> {
        members.map(|member| member.name).collect()
    }

    #[test]
    fn a_program_that_comes_alone_is_told_at_the_end() {
        let mut lone = LoneMember::of("ZIP");
        assert!(names(lone.next(member("invoice.exe"))).is_empty());
        let alone = lone.end().expect("one that waited");
        assert_eq!(alone.name, "invoice.exe");
    }

    #[test]
    fn a_second_member_lets_the_first_go_before_it() {
        let mut lone = LoneMember::of("ZIP");
        assert!(names(lone.next(member("scan.exe"))).is_empty());
        assert_eq!(names(lone.next(member("b.exe"))), ["scan.exe", "b.exe"]);
        assert_eq!(names(lone.next(member("c.exe"))), ["c.exe"]);
        assert!(lone.end().is_none());
    }

    #[test]
    fn what_no_heuristic_asks_about_does_not_wait() {
        let mut lone = LoneMember::of("ZIP");
        assert_eq!(names(lone.next(member("tool"))), ["tool"]);
        assert_eq!(names(lone.next(member("b.exe"))), ["b.exe"]);
        assert!(lone.end().is_none());
        let mut lone = LoneMember::of("GZIP");
        assert_eq!(names(lone.next(member("scan.exe"))), ["scan.exe"]);
    }
}
