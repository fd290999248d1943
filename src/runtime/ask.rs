//! Questions to a task, each with its answer: for what one part of the program needs to know and another one can
//! find out.

use tokio::sync::{mpsc, oneshot};

/// Asks. Cheap to clone.
#[derive(Debug)]
pub struct Ask<Q, A>(mpsc::Sender<Asked<Q, A>>);

/// A question, and where its answer goes.
#[derive(Debug)]
pub struct Asked<Q, A> {
    pub question: Q,
    pub answer: oneshot::Sender<A>,
}

impl<Q, A> Clone for Ask<Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// So many questions may wait; who asks more waits too.
pub fn channel<Q, A>(waiting: usize) -> (Ask<Q, A>, mpsc::Receiver<Asked<Q, A>>) {
    let (ask, asked) = mpsc::channel(waiting);
    (Ask(ask), asked)
}

impl<Q, A> Ask<Q, A> {
    /// `None`: nobody answers any more. Dropping the future takes the question back, if it still waits.
    pub async fn ask(&self, question: Q) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { question, answer }).await.ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_question_gets_its_answer_until_nobody_answers() {
        let (ask, mut asked) = channel::<u32, u32>(1);
        let doubles = tokio::spawn(async move {
            for _ in 0..2 {
                let Asked { question, answer } = asked.recv().await.unwrap();
                answer.send(question * 2).unwrap();
            }
        });
        assert_eq!(tokio::join!(ask.ask(1), ask.ask(2)), (Some(2), Some(4)));
        doubles.await.unwrap();
        assert_eq!(ask.ask(3).await, None);
    }
}
