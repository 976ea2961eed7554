//! A cable between the browser and the proxy, which a test pulls out.

use std::sync::{Arc, Mutex};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// Passes bytes on, from a free port of 127.0.0.1. Ends with this value.
pub(crate) struct Cable {
    pub(crate) port: u16,
    /// The connections, or none while the cable is out.
    connections: Arc<Mutex<Option<JoinSet<()>>>>,
    listening: AbortHandle,
}

impl Cable {
    /// Leads to `port` of 127.0.0.1.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let connections = Arc::new(Mutex::new(Some(JoinSet::new())));
        let open = connections.clone();
        let listening = tokio::spawn(async move {
            loop {
                let Ok((mut near, _)) = listener.accept().await else {
                    continue;
                };
                // While it is out, what was accepted is dropped, and the browser sees a connection that breaks.
                if let Some(open) = &mut *open.lock().unwrap() {
                    open.spawn(async move {
                        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    });
                }
            }
        });
        Self {
            port: own,
            connections,
            listening: listening.abort_handle(),
        }
    }

    /// Breaks every connection, and the next ones.
    pub(crate) fn pull(&self) {
        *self.connections.lock().unwrap() = None;
    }

    /// Puts it back.
    pub(crate) fn plug(&self) {
        *self.connections.lock().unwrap() = Some(JoinSet::new());
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
