//! The order in which the sweep visits subjects.

use std::{collections::VecDeque, mem, vec};

use crate::keys::SubjectTag;

/// Subjects that move together. They take 16 KiB, so the list of the chunks is short. The unused room of the first and
/// the last one is negligible.
const CHUNK: usize = 1024;

/// A queue of subjects, in chunks.
///
/// One ring of a million subjects would double by copying 16 MB while every insertion waits. It might then be half
/// empty. Here nothing is ever moved but a short list of chunks.
#[derive(Default)]
pub(super) struct Round {
    first: vec::IntoIter<SubjectTag>,
    between: VecDeque<Vec<SubjectTag>>,
    last: Vec<SubjectTag>,
}

impl Round {
    pub(super) fn push(&mut self, subject: SubjectTag) {
        if self.last.len() == CHUNK {
            self.between.push_back(mem::take(&mut self.last));
        }
        self.last.push(subject);
    }

    pub(super) fn pop(&mut self) -> Option<SubjectTag> {
        self.first.next().or_else(|| {
            let next = self.between.pop_front();
            self.first = next
                .unwrap_or_else(|| mem::take(&mut self.last))
                .into_iter();
            self.first.next()
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.between.len() * CHUNK + self.last.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(n: usize) -> SubjectTag {
        SubjectTag::from_bytes((n as u128).to_be_bytes())
    }

    #[test]
    fn subjects_that_came_first_go_first_over_any_number_of_chunks() {
        for count in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7] {
            let mut round = Round::default();
            for n in 0..count {
                round.push(subject(n));
            }
            assert_eq!(round.len(), count);
            // Once around, as the sweep does it, and then out.
            for n in 0..count {
                let next = round.pop();
                assert_eq!(next, Some(subject(n)));
                next.into_iter().for_each(|next| round.push(next));
                assert_eq!(round.len(), count);
            }
            assert!((0..count).all(|n| round.pop() == Some(subject(n))));
            assert_eq!(round.pop(), None);
            assert_eq!(round.len(), 0);
        }
    }
}
