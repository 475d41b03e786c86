//! A running network as people and programs see it: the whole state, and the events. User interfaces show nothing else.

mod action;
mod by_hand;
mod edits;
mod error;
mod event;
mod flow;
mod grant;
mod install;
mod network;
mod open_ports;
mod outline;
mod plan;
mod prompt;
mod sentence;
mod snapshot;
pub mod symptoms;
mod trial;
mod tried;
mod trouble;
mod why;

pub use self::{
    action::{HostAction, NoHostAction},
    by_hand::{ByHand, Hint, keygen},
    edits::{
        Conflict, EditReach, EditRequest, Edited, FieldPlace, ListRef, Merged, OwnerRef,
        RefusalCode,
    },
    error::ErrorCode,
    event::{Event, RefusedTarget},
    flow::{
        EndedFlowView, EndedFlowsView, FlowOutcome, FlowState, FlowView, FlowsView, flow_id,
        parse_flow_id,
    },
    grant::{Grant, HeldChange},
    install::{InstallStep, InstallView},
    network::{LogLine, LogView, NetworkView},
    open_ports::{OpenPortView, OpenPortsView},
    outline::{
        FieldForm, FieldOf, FieldOutline, FieldSpec, FieldValue, HostOutline, ItemOutline, Origin,
        Outline, PolicyOutline, Way,
    },
    plan::{
        MatrixCell, MatrixReach, MatrixRow, MatrixTarget, PlanHost, PlanPolicy, PlanPort,
        PlanRoute, PlanRule, PlanView, address_ranges,
    },
    prompt::{Answer, PromptKind, PromptView, Question, Reply},
    sentence::Sentence,
    snapshot::{
        HeldView, HostState, HostView, Retry, Snapshot, TrafficView, Unapplied, no_such_host,
    },
    trial::{TrialNews, TrialOutcome, TrialStep},
    tried::{TriedPort, TryOutcome},
    trouble::{ASKS, Cure, Trouble, TroubleCause, TroubleCode},
    why::{WhyOutcome, WhyStep, WhyView},
};
