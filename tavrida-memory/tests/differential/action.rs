//! [`Action`]: what happens on the other side, and what follows from its kind alone.

use tavrida_memory::core::{ChannelId, Method, Operator};

use crate::program::Mode;

/// An action on the other side.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Call(Method),
    CloseConnection,
    Abort,
    Operate(Operator),
    Together(Vec<(ChannelId, Method)>),
    /// Time passes, in milliseconds.
    Wait(u64),
}

/// Returns the queue that an action would declare.
pub(crate) fn declares(action: &Action) -> Option<&str> {
    match action {
        Action::Call(method) => declared(method),
        _ => None,
    }
}

/// Returns the queue that a method would declare.
pub(crate) fn declared(method: &Method) -> Option<&str> {
    match method {
        Method::QueueDeclare(declare) if !declare.passive => Some(&declare.queue),
        _ => None,
    }
}

/// Returns whether queues may still be working when all answers have come (R160 to R165).
pub(crate) fn goes_on(mode: Mode, action: &Action) -> bool {
    let Action::Call(method) = action else { return true };
    match method {
        Method::BasicPublish { .. } => mode != Mode::Confirm,
        Method::BasicAck { .. }
        | Method::BasicNack { .. }
        | Method::BasicReject { .. }
        | Method::BasicRecover { .. }
        | Method::BasicRecoverAsync { .. }
        | Method::BasicCancel { .. }
        | Method::ChannelClose
        | Method::QueueDelete { .. }
        | Method::ExchangeDelete { .. }
        | Method::TxCommit
        | Method::TxRollback => true,
        Method::QueuePurge { nowait, .. } | Method::ConfirmSelect { nowait } => *nowait,
        Method::BasicConsume(consume) => consume.nowait,
        Method::QueueDeclare(declare) => declare.nowait,
        Method::QueueBind(bind) => bind.nowait,
        Method::ExchangeBind(bind) | Method::ExchangeUnbind(bind) => bind.nowait,
        Method::ExchangeDeclare(declare) => declare.nowait,
        _ => false,
    }
}

/// Returns whether RabbitMQ does not answer a successful call.
pub(crate) fn is_silent(method: &Method, mode: Mode) -> bool {
    match method {
        Method::BasicAck { .. }
        | Method::BasicNack { .. }
        | Method::BasicReject { .. }
        | Method::BasicRecoverAsync { .. } => true,
        Method::BasicPublish { .. } => mode != Mode::Confirm,
        Method::QueuePurge { nowait, .. }
        | Method::QueueDelete { nowait, .. }
        | Method::ExchangeDelete { nowait, .. }
        | Method::BasicCancel { nowait, .. }
        | Method::ConfirmSelect { nowait } => *nowait,
        Method::BasicConsume(consume) => consume.nowait,
        Method::QueueDeclare(declare) => declare.nowait,
        Method::QueueBind(bind) => bind.nowait,
        Method::ExchangeBind(bind) | Method::ExchangeUnbind(bind) => bind.nowait,
        Method::ExchangeDeclare(declare) => declare.nowait,
        _ => false,
    }
}

/// Returns whether messages may move.
pub(crate) fn moves(action: &Action) -> bool {
    !matches!(
        action,
        Action::Call(
            Method::ExchangeDeclare(_)
                | Method::ExchangeBind(_)
                | Method::ExchangeUnbind(_)
                | Method::QueueDeclare(_)
                | Method::QueueBind(_)
                | Method::QueueUnbind(_)
                | Method::ChannelFlow { .. }
                | Method::ConfirmSelect { .. }
                | Method::TxSelect
        )
    )
}
