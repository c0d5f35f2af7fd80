//! Records and views from outside: what is accepted, what is shown, what is hidden.

mod compare;
mod record;
mod view;
