//! Adapters to AWS: the record in DynamoDB, the bus, secrets, the spill, ticks, topics and the hands that touch EC2.

#[cfg(feature = "bus")]
pub mod bus;
pub mod client;
#[cfg(feature = "ec2")]
pub mod ec2;
mod failure;
pub mod lambda;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "spill")]
pub mod spill;
pub mod store;
#[cfg(test)]
mod stub;
#[cfg(feature = "ticks")]
pub mod ticks;
pub mod topic_host;
#[cfg(feature = "topics")]
pub mod topics;
