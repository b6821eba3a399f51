//! Proof of the sender: what a request must show before its body is looked at.
