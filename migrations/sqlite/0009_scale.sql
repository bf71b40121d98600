CREATE INDEX `connect_codes_user` ON `connect_codes` (`user_id`);--> statement-breakpoint
CREATE INDEX `connect_codes_team` ON `connect_codes` (`team_id`);--> statement-breakpoint
CREATE INDEX `jobs_created` ON `jobs` (`created_at`,`kind`);--> statement-breakpoint
CREATE INDEX `mail_outbox_recipient` ON `mail_outbox` (`recipient_index`);--> statement-breakpoint
CREATE INDEX `phones_started` ON `phones` (`started_at`) WHERE "phones"."started_at" is not null;--> statement-breakpoint
CREATE INDEX `recordings_flow` ON `recordings` (`flow_id`);--> statement-breakpoint
CREATE INDEX `runs_flow` ON `runs` (`flow_id`);--> statement-breakpoint
CREATE INDEX `stream_tickets_phone` ON `stream_tickets` (`phone_id`);--> statement-breakpoint
CREATE INDEX `stream_tickets_person` ON `stream_tickets` (`user_id`);--> statement-breakpoint
CREATE INDEX `uploads_state` ON `uploads` (`state`);--> statement-breakpoint
CREATE INDEX `webhooks_flow` ON `webhooks` (`flow_id`);