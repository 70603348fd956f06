// Commands an incident takes beside claim, dispatch and close, by state: the compact menu of the drawer.
//
// The server decides; this list only spares the operator from being told no.

/** @typedef {{id: string, states: string[], field: string | null, roles?: string[], fixed?: Record<string, unknown>, path?: string}} IncidentCommand */

const OPEN = ['reported', 'accepted', 'dispatched', 'handling', 'suspended', 'handled'];
const SENIOR = ['supervisor', 'leader'];

/** @type {IncidentCommand[]} */
export const INCIDENT_COMMANDS = [
  { id: 'accept', states: ['reported'], field: null },
  { id: 'classify', states: ['reported', 'accepted', 'dispatched', 'handling'], field: 'level' },
  { id: 'department', states: ['reported', 'accepted', 'dispatched', 'handling'], field: 'lead_department', path: 'classify' },
  { id: 'unclaim', states: OPEN, field: null },
  { id: 'merge', states: ['reported', 'accepted'], field: 'into' },
  { id: 'reject', states: ['reported'], field: 'reason' },
  { id: 'escalate', states: OPEN, field: 'reason' },
  { id: 'suspend', states: ['handling'], field: 'reason', roles: SENIOR },
  { id: 'resume', states: ['suspended'], field: null, roles: SENIOR },
  { id: 'check_fail', states: ['handled'], field: 'reason' },
  { id: 'supervise', states: OPEN, field: 'text', roles: SENIOR, fixed: { grade: 'normal' } },
  { id: 'cancel', states: OPEN, field: 'reason', roles: SENIOR },
  { id: 'evaluate', states: ['closed'], field: 'score' },
  { id: 'revisit', states: ['evaluated'], field: 'comment', fixed: { resolved: true } },
  { id: 'reopen', states: ['closed', 'evaluated', 'revisited'], field: 'reason', roles: SENIOR },
];

/** @param {string} state @param {string} role */
export const commandsFor = (state, role) =>
  INCIDENT_COMMANDS.filter((item) => item.states.includes(state) && (!item.roles || item.roles.includes(role)));

/** Where reasons are chosen rather than written. */
export const OVERRIDE_REASONS = ['skill', 'equipment', 'familiar', 'workload', 'leader'];
export const DISPOSITIONS = ['resolved', 'on_site', 'mediated', 'handed_over', 'false_alarm'];
