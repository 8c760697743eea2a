/** Sends a draft: its ticket, its photos, itself. Sending it again is safe, whatever got through before. */
import { refusedWith } from '../api/fault'
import { sendFile } from '../api/files'
import type { Receipt } from '../api/publicreports'
import { sendReport, ticket } from '../api/publicreports'
import type { Draft } from './drafts'
import { keep } from './drafts'

export async function deliver(draft: Draft): Promise<Receipt> {
  const pass = await ticket()
  const good = Date.now() + pass.waitMs + 100
  let { sent } = draft
  for (let tries = 0; ; tries++) {
    for (const [i, photo] of draft.photos.entries()) {
      if (i < sent.length) continue
      const { name } = await sendFile(new File([photo], `photo-${i + 1}.jpg`, { type: 'image/jpeg' }), true)
      sent = [...sent, name]
      await keep({ ...draft, sent })
    }
    await new Promise((done) => setTimeout(done, Math.max(0, good - Date.now())))
    try {
      return await sendReport(draft, pass.ticket, sent)
    } catch (err) {
      // What waited for more than a day: its photos are gone from the service.
      const stale = refusedWith(err, 400) && err.problem?.parameter === 'evidence'
      if (!stale || tries > 0 || sent.length === 0) throw err
      sent = []
    }
  }
}
