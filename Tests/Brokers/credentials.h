// Forced into Proton's C examples when they are built: they speak AMQP without a SASL layer, which RabbitMQ 4 refuses.
// With PROTON_USER (and PROTON_PASSWORD) in the environment they use SASL, PLAIN allowed in the clear;
// with PROTON_USER empty, SASL ANONYMOUS. Without it they are what Debian ships.
#include <proton/connection.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/transport.h>
#include <stdlib.h>

static inline void connect_with_credentials(pn_proactor_t *proactor, pn_connection_t *connection,
                                            pn_transport_t *transport, const char *address) {
  const char *user = getenv("PROTON_USER");
  if (user) {
    if (!transport) transport = pn_transport();
    pn_sasl_set_allow_insecure_mechs(pn_sasl(transport), true);
    if (*user) {
      pn_sasl_allowed_mechs(pn_sasl(transport), "PLAIN");
      if (!connection) connection = pn_connection();
      pn_connection_set_user(connection, user);
      pn_connection_set_password(connection, getenv("PROTON_PASSWORD"));
    } else {
      pn_sasl_allowed_mechs(pn_sasl(transport), "ANONYMOUS");
    }
  }
  pn_proactor_connect2(proactor, connection, transport, address);
}
#define pn_proactor_connect2 connect_with_credentials
