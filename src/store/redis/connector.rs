//! Where connections come from.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, RedisFuture, RedisResult, Value, aio::ConnectionLike,
    sentinel::SentinelClient,
};

use super::{limits::Limits, request::Commands};

/// A connection that many requests share.
pub(super) trait Transport: Send + Sync {
    /// The reply to one command, or the replies to several. Of a cluster the master of `slot` answers; where there is
    /// none, the keys tell who does.
    fn send(&self, commands: Commands, slot: Option<u16>) -> RedisFuture<'static, Vec<Value>>;
}

/// Connections to the nodes of a cluster.
#[cfg(feature = "redis-cluster")]
struct Nodes(redis::cluster_async::ClusterConnection);

#[cfg(feature = "redis-cluster")]
impl Transport for Nodes {
    fn send(&self, commands: Commands, slot: Option<u16>) -> RedisFuture<'static, Vec<Value>> {
        use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};

        match (commands, slot) {
            (Commands::Many(pipeline), Some(slot)) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::new(slot, SlotAddr::Master));
                let (mut connection, count) = (self.0.clone(), pipeline.len());
                Box::pin(async move { connection.route_pipeline(pipeline, 0, count, route).await })
            }
            (commands, _) => self.0.send(commands, None),
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Transport for C {
    fn send(&self, commands: Commands, _: Option<u16>) -> RedisFuture<'static, Vec<Value>> {
        // A clone is a handle on the same connection: requests of all of them are multiplexed.
        let mut connection = self.clone();
        Box::pin(async move {
            match commands {
                Commands::One(command) => Ok(vec![connection.req_packed_command(&command).await?]),
                Commands::Many(pipeline) => {
                    let count = pipeline.len();
                    connection.req_packed_commands(&pipeline, 0, count).await
                }
            }
        })
    }
}

/// The connectors.
#[allow(clippy::large_enum_variant, reason = "there are two for each store")]
pub(super) enum Connector {
    /// Redis Cluster: one handle on connections to all nodes, which follows the slots by itself.
    #[cfg(feature = "redis-cluster")]
    Cluster(redis::cluster::ClusterClient),
    /// The application's own connection.
    #[cfg(feature = "redis-connection")]
    Given(Arc<dyn Transport>),
    /// Whichever server the sentinels name as the master. They are asked over connections of that moment: those
    /// from before may belong to another runtime.
    Sentinel(Box<dyn Fn() -> RedisResult<SentinelClient> + Send + Sync>),
    /// One server.
    Server(redis::Client),
}

impl Connector {
    /// A new connection, or the same one where it was given.
    pub(super) async fn open(&self, limits: &Limits) -> RedisResult<Arc<dyn Transport>> {
        // Requests are timed where they are sent, all in the same way.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limits.connect))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(limits.concurrency.min(1024));
        Ok(match self {
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(client) => {
                // Following a slot to another node counts as one answer, and has to fit into its time.
                let config = redis::cluster::ClusterConfig::new()
                    .set_connection_timeout(limits.connect)
                    .set_response_timeout(limits.response);
                Arc::new(Nodes(
                    client.get_async_connection_with_config(config).await?,
                ))
            }
            #[cfg(feature = "redis-connection")]
            Self::Given(connection) => connection.clone(),
            Self::Sentinel(sentinels) => {
                let master = sentinels()?.async_get_client().await?;
                Arc::new(
                    master
                        .get_multiplexed_async_connection_with_config(&config)
                        .await?,
                )
            }
            Self::Server(client) => Arc::new(
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
        })
    }

    /// How long opening may take, where one connection takes `connect` at most.
    pub(super) fn patience(&self, connect: Duration) -> Duration {
        match self {
            // First the nodes that were named, and then all that these know of.
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(_) => connect * 3,
            // The sentinels have times of the client library's own: a second to connect, and half a
            // second to answer. Then comes the master that they name, twice: to see that it is one,
            // and for good.
            Self::Sentinel(_) => Duration::from_millis(1500) + connect * 2,
            _ => connect,
        }
    }

    /// Whether several servers answer, each for some of the keys.
    pub(super) fn has_nodes(&self) -> bool {
        match self {
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(_) => true,
            _ => false,
        }
    }

    /// For `Debug`: what kind it is, without addresses and passwords.
    pub(super) fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(_) => "cluster",
            #[cfg(feature = "redis-connection")]
            Self::Given(_) => "given connection",
            Self::Sentinel(_) => "sentinel",
            Self::Server(_) => "server",
        }
    }
}
