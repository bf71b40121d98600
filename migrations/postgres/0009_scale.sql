CREATE INDEX "connect_codes_user" ON "connect_codes" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "connect_codes_team" ON "connect_codes" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "jobs_created" ON "jobs" USING btree ("created_at","kind");--> statement-breakpoint
CREATE INDEX "mail_outbox_recipient" ON "mail_outbox" USING btree ("recipient_index");--> statement-breakpoint
CREATE INDEX "phones_started" ON "phones" USING btree ("started_at") WHERE "phones"."started_at" is not null;--> statement-breakpoint
CREATE INDEX "recordings_flow" ON "recordings" USING btree ("flow_id");--> statement-breakpoint
CREATE INDEX "runs_flow" ON "runs" USING btree ("flow_id");--> statement-breakpoint
CREATE INDEX "stream_tickets_phone" ON "stream_tickets" USING btree ("phone_id");--> statement-breakpoint
CREATE INDEX "stream_tickets_person" ON "stream_tickets" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "uploads_state" ON "uploads" USING btree ("state");--> statement-breakpoint
CREATE INDEX "webhooks_flow" ON "webhooks" USING btree ("flow_id");