//! The threads on which the solver runs. The solver needs a core for up to 100 ms, which would delay
//! every request if it ran on the runtime.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::solver::{Choice, Effort, choose};
use crate::domain::{Board, Disc};
use crate::metrics::Metrics;
use crate::panics::{Panicked, caught_blocking};

/// A bounded number of threads with a bounded queue. The threads end when this is dropped.
#[derive(Debug)]
pub(super) struct Thinkers {
    queue: SyncSender<Question>,
    metrics: Metrics,
}

/// Why there is no choice.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoChoice {
    /// As many positions are waiting as may wait.
    #[error("the queue of the solver is full")]
    QueueFull,
    /// The solver has a defect.
    #[error("the solver failed: {0}")]
    Panicked(#[from] Panicked),
    /// The threads have ended, which they only do at the end of the process.
    #[error("the threads of the solver have ended")]
    Ended,
}

type Answer = Result<Option<Choice>, Panicked>;

struct Question {
    board: Board,
    to_move: Disc,
    effort: Effort,
    answer: oneshot::Sender<Answer>,
}

impl Thinkers {
    /// Starts this many threads, with a queue of this length.
    pub(super) fn start(threads: usize, waiting: usize, metrics: Metrics) -> io::Result<Thinkers> {
        let (queue, questions) = mpsc::sync_channel(waiting);
        let questions = Arc::new(Mutex::new(questions));
        for _ in 0..threads {
            let (questions, metrics) = (questions.clone(), metrics.clone());
            thread::Builder::new()
                .name("computer".to_owned())
                .spawn(move || {
                    let_requests_go_first();
                    answer_all(&questions, &metrics);
                })?;
        }
        Ok(Thinkers { queue, metrics })
    }

    /// The move for the side with this disc; `None` if the game is over. Never blocks the thread.
    pub(super) async fn choose(
        &self,
        board: Board,
        to_move: Disc,
        effort: Effort,
    ) -> Result<Option<Choice>, NoChoice> {
        let (answer, answered) = oneshot::channel();
        let question = Question {
            board,
            to_move,
            effort,
            answer,
        };
        // Before the question is sent, so that the length is never counted below zero.
        self.metrics.computer_queue_grew();
        if let Err(error) = self.queue.try_send(question) {
            self.metrics.computer_queue_shrank();
            return Err(match error {
                TrySendError::Full(_) => NoChoice::QueueFull,
                TrySendError::Disconnected(_) => NoChoice::Ended,
            });
        }
        Ok(answered.await.map_err(|_| NoChoice::Ended)??)
    }
}

/// Lowers the priority of this thread. When requests need every core, a thread of the solver gets about a
/// tenth of one, which delays the computer's moves and hardly those of other games.
fn let_requests_go_first() {
    // On other systems, this would be the priority of the process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "a thread of the solver keeps its priority");
    }
}

fn answer_all(questions: &Mutex<Receiver<Question>>, metrics: &Metrics) {
    loop {
        // Nothing that holds the lock can panic. Its guard is dropped before the question is answered.
        let next = questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(question) = next else { return };
        metrics.computer_queue_shrank();
        // Whoever asked may have gone: the service stops, or the attempt took too long.
        if question.answer.is_closed() {
            continue;
        }
        let answer = caught_blocking(|| choose(&question.board, question.to_move, question.effort));
        let _ = question.answer.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::computer::Level;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_threads_of_the_solver_have_a_lower_priority_than_the_others() {
        let thinkers = Thinkers::start(1, 1, Metrics::default()).expect("a thread");
        let effort = Level::Easy.effort();
        let answered = thinkers.choose(Board::EMPTY, Disc::Yellow, effort).await;
        answered.expect("an answer");
        let process = procfs::process::Process::myself().expect("this process");
        let own = process.stat().expect("its figures").nice;
        let mut threads = process.tasks().expect("threads").flatten();
        let is_behind = |stat: procfs::process::Stat| stat.comm == "computer" && stat.nice > own;
        assert!(threads.any(|thread| thread.stat().is_ok_and(is_behind)));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_a_question_and_answers_the_others() {
        let metrics = Metrics::default();
        let none = Thinkers::start(0, 1, metrics.clone()).expect("no thread");
        let ask = || none.choose(Board::EMPTY, Disc::Yellow, Level::Easy.effort());
        let mut waiting = Box::pin(ask());
        let polled = futures_util::poll!(&mut waiting);
        // Without a thread, the receiver is gone.
        assert!(matches!(
            polled,
            std::task::Poll::Ready(Err(NoChoice::Ended))
        ));

        let one = Thinkers::start(1, 1, metrics).expect("a thread");
        let ask = || one.choose(Board::EMPTY, Disc::Yellow, Level::Normal.effort());
        let answers = futures_util::future::join_all((0..50).map(|_| ask())).await;
        let refused = answers
            .iter()
            .filter(|answer| matches!(answer, Err(NoChoice::QueueFull)))
            .count();
        let columns: Vec<_> = answers
            .iter()
            .flatten()
            .map(|choice| choice.map(|choice| choice.column))
            .collect();
        assert_eq!(refused + columns.len(), 50);
        assert!(refused > 0 && !columns.is_empty());
        assert!(columns.iter().all(|column| *column == columns[0]));
        assert!(ask().await.is_ok(), "the queue is empty again");
    }
}
