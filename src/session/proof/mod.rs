//! The promises of the protocol, shown over the real decision function.
//!
//! * [`search`] walks every path of a small world, so that "never" means never. In [`worlds`] an honest user is not
//!   accused. In [`thefts`] a thief does not go on unnoticed. Those in [`refuted`] fail. They show what the others
//!   prove and where they end.
//! * [`idle`] has the worlds with an idle lifetime: an active user stays signed in, and an open tab does not.
//! * [`sim`] plays thousands of random runs of browsers, networks and thieves.
//! * [`vectors`] is the decision table for other implementations.

//!
//! Figures are printed beside their goals. Numbers of states differ from theirs with how a state is written.

mod bounds;
mod broken;
mod closing;
mod idle;
mod larger;
mod ledger;
mod network;
mod predicates;
mod promises;
mod questions;
mod refuted;
mod robberies;
mod robbery;
mod rule;
mod scenarios;
mod search;
mod sim;
mod state;
mod stealing;
mod thefts;
mod vectors;

mod worlds;
