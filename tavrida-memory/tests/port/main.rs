//! The port: raw frames, which show codes and texts as they are on the wire, and lapin.

mod clients;
mod closing;
mod content;
mod definitions;
mod handshake;
mod lies;
mod permissions;
mod pressure;
mod random;
mod rig;
