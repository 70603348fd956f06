// Commands an incident takes beside claim, dispatch and close, by state: the compact menu of the drawer.
//
// The server decides; this list only spares the operator from being told no.

/** @typedef {{id: string, needs: string, states: string[], field: string | null, fixed?: Record<string, unknown>, path?: string}} IncidentCommand */

const OPEN = ['reported', 'accepted', 'dispatched', 'handling', 'suspended', 'handled'];

/** @type {IncidentCommand[]} */
export const INCIDENT_COMMANDS = [
  { id: 'accept', needs: 'incident.accept', states: ['reported'], field: null },
  {
    id: 'classify',
    needs: 'incident.accept',
    states: ['reported', 'accepted', 'dispatched', 'handling'],
    field: 'level',
  },
  {
    id: 'department',
    needs: 'incident.accept',
    states: ['reported', 'accepted', 'dispatched', 'handling'],
    field: 'lead_department',
    path: 'classify',
  },
  { id: 'unclaim', needs: 'incident.accept', states: OPEN, field: null },
  { id: 'merge', needs: 'incident.accept', states: ['reported', 'accepted'], field: 'into' },
  { id: 'reject', needs: 'incident.accept', states: ['reported'], field: 'reason' },
  { id: 'escalate', needs: 'incident.escalate', states: OPEN, field: 'reason' },
  { id: 'suspend', needs: 'incident.supervise', states: ['handling'], field: 'reason' },
  { id: 'resume', needs: 'incident.supervise', states: ['suspended'], field: null },
  { id: 'check_fail', needs: 'incident.close', states: ['handled'], field: 'reason' },
  { id: 'supervise', needs: 'incident.supervise', states: OPEN, field: 'text', fixed: { grade: 'normal' } },
  { id: 'cancel', needs: 'incident.supervise', states: OPEN, field: 'reason' },
  { id: 'evaluate', needs: 'incident.close', states: ['closed'], field: 'score' },
  { id: 'revisit', needs: 'incident.close', states: ['evaluated'], field: 'comment', fixed: { resolved: true } },
  { id: 'reopen', needs: 'incident.supervise', states: ['closed', 'evaluated', 'revisited'], field: 'reason' },
];

/** @param {string} state @param {string[]} permissions of the account */
export const commandsFor = (state, permissions) =>
  INCIDENT_COMMANDS.filter((item) => item.states.includes(state) && permissions.includes(item.needs));

/** Where reasons are chosen rather than written. */
export const OVERRIDE_REASONS = ['skill', 'equipment', 'familiar', 'workload', 'leader'];
export const DISPOSITIONS = ['resolved', 'on_site', 'mediated', 'handed_over', 'false_alarm'];
