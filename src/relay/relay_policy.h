/*
 * Connects a relay to its policy (relay/policy.h): reports what its flows and
 * its script did, and carries out the actions. r->state and r->wants change.
 * Private to relay.c.
 */
#ifndef RELAY_RELAY_POLICY_H
#define RELAY_RELAY_POLICY_H

#include "relay/policy.h"

struct relay;

/* Starts with the options of the relay, whose flows are set up. */
void relay_policy_start(struct relay *r);

/* Reports an event. The actions may change the flows and send FIN. */
void relay_policy_report(struct relay *r, enum policy_event event);

/* Report what has changed in a direction since the last report. */
void relay_policy_report_up(struct relay *r);
void relay_policy_report_down(struct relay *r);

/* Reports the current step of the script, if there is one. */
void relay_policy_report_script(struct relay *r);

#endif
