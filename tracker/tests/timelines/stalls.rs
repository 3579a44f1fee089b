//! When playback stalls, and what that is due to.

use crate::timeline;

timeline!(
    a_stall_is_told_with_its_time_and_cause,
    "0    source /film.mp4
     0    load 60
     0    play
     10   stall 3
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 rebuffer cause=network took_ms=3000 @10
  18.000 quartile ladder=watched percent=25 @15
  18.000 quartile ladder=position percent=25 @15
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=3000 played_ms=17000 content_ms=17000 engaged_ms=17000 rebuffered=1 ladder_plays=1 played_ms_other=17000 startup_ms=1 reached_25=1 position_25=1 watched=28% active=1 stop_reason=closed
"
);

timeline!(
    a_hiccup_is_no_stall,
    "0    source /film.mp4
     0    load 60
     0    play
     10   stall 0.2
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=14800 content_ms=14800 engaged_ms=14800 ladder_plays=1 played_ms_other=14800 startup_ms=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    two_stalls,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stall 2
     10   stall 1
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rebuffer cause=network took_ms=2000 @5
  10.000 rebuffer cause=network took_ms=1000 @8
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=2 rebuffer_ms=3000 played_ms=12000 content_ms=12000 engaged_ms=12000 rebuffered=1 ladder_plays=1 played_ms_other=12000 startup_ms=1 watched=20% active=1 stop_reason=closed
"
);

timeline!(
    a_waiting_that_stops_nothing_is_no_stall,
    "0    source /film.mp4
     0    load 60
     0    play
     5    waiting
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    stalled_alone_is_no_stall,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stalled
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_after_a_seek_is_due_to_it,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 30 0.5
     5.5  stall 3
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=30000 took_ms=500 @5
   5.500 rebuffer cause=seek took_ms=3000 @30
   9.500 quartile ladder=position percent=25 @31
   9.500 quartile ladder=position percent=50 @31
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=500 stops=1 rebuffers=1 rebuffer_ms=3000 played_ms=8500 content_ms=8500 engaged_ms=8500 rebuffered=1 ladder_plays=1 played_ms_other=8500 startup_ms=1 seek_max_ms=500 position_25=1 position_50=1 watched=14% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_after_a_change_of_speed_is_due_to_it,
    "0    source /film.mp4
     0    load 60
     0    play
     5    rate 4
     5    stall 2
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rate rate=4.0 @5
   5.000 rebuffer cause=rate took_ms=2000 @5
   9.500 quartile ladder=watched percent=25 @15
   9.500 quartile ladder=position percent=25 @15
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=2000 played_ms=10000 content_ms=25000 engaged_ms=10000 rebuffered=1 ladder_plays=1 played_ms_other=10000 startup_ms=1 reached_25=1 position_25=1 watched=42% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_that_the_viewer_ends_by_pausing,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stall 30
     8    pause
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rebuffer cause=network took_ms=3000 @5
   8.000 pause @5
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 stops=1 rebuffers=1 rebuffer_ms=3000 played_ms=5000 content_ms=5000 paused_ms=4000 engaged_ms=5000 rebuffered=1 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_that_the_viewer_ends_by_seeking,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stall 30
     8    seek 30 0.5
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rebuffer cause=network took_ms=3000 @5
   8.000 seek from_ms=5000 to_ms=30000 took_ms=500 @5
   9.500 quartile ladder=position percent=25 @31
   9.500 quartile ladder=position percent=50 @31
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=500 stops=1 rebuffers=1 rebuffer_ms=3000 played_ms=8500 content_ms=8500 engaged_ms=8500 rebuffered=1 ladder_plays=1 played_ms_other=8500 startup_ms=1 seek_max_ms=500 position_25=1 position_50=1 watched=14% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_that_the_viewer_ends_by_leaving,
    "0    source /film.mp4
     0    load 60
     0    play
     5    stall 30
     9    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 rebuffer cause=network took_ms=4000 @5
   9.000 stop reason=closed
slice 0 at 0.000 for 9.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=4000 played_ms=5000 content_ms=5000 engaged_ms=5000 rebuffered=1 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_over_the_mark_of_five_minutes,
    "0    source /film.mp4
     0    load 600
     290  play
     298  stall 14
     320  leave",
    @"
   0.000 impression
 290.000 play_request @0
 290.000 play @0
 298.000 rebuffer cause=network took_ms=14000 @8
 320.000 stop reason=closed
slice 0 at 0.000 for 308.000: views=1 impressions=1 play_requests=1 plays=1 rebuffers=1 rebuffer_ms=10000 played_ms=8000 content_ms=8000 engaged_ms=8000 rebuffered=1 ladder_plays=1 played_ms_other=8000 startup_ms=1 watched=1% active=10000
slice 1 at 308.000 for 12.000: stops=1 rebuffer_ms=4000 played_ms=8000 content_ms=8000 engaged_ms=8000 played_ms_other=8000 watched=2% active=1 stop_reason=closed
"
);

timeline!(
    waiting_for_the_first_frame_is_no_stall,
    "0    source /film.mp4
     0    load 60
     0    play 5
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   5.000 play @0
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 wait_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=5000 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_in_a_hidden_page_is_given_more_time,
    "0    source /film.mp4
     0    load 60
     0    play
     5    hide
     6    stall 10
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 visibility visible=false @5
   6.000 rebuffer cause=network took_ms=10000 @6
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=10000 played_ms=10000 content_ms=10000 engaged_ms=5000 hidden_ms=5000 rebuffered=1 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    data_that_is_missing_at_a_resume_is_a_stall,
    "0    source /film.mp4
     0    load 60
     0    play
     5    pause
     10   play 2
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 pause @5
  10.000 resume @5
  10.000 rebuffer cause=network took_ms=2000 @5
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 stops=1 rebuffers=1 rebuffer_ms=2000 played_ms=8000 content_ms=8000 paused_ms=5000 engaged_ms=8000 rebuffered=1 ladder_plays=1 played_ms_other=8000 startup_ms=1 watched=13% active=1 stop_reason=closed
"
);

timeline!(
    what_is_slept_through_in_a_stall_does_not_come_back_at_the_next_look,
    "0    source /film.mp4
     0    load 60
     0    play
     10   stall 200
     12   sleep 100
     112  viewable
     113  captions en
     114  captions off
     115  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 rebuffer cause=network took_ms=18000 @10
 112.000 viewable @10
 113.000 captions language=en on=true @10
 114.000 captions on=false @10
 115.000 stop reason=closed
slice 0 at 0.000 for 115.000: views=1 impressions=1 viewables=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=18000 played_ms=10000 content_ms=10000 engaged_ms=10000 rebuffered=1 ladder_plays=1 played_ms_other=10000 captions_on=1 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    /// The browser says `stall` with a `waiting`, and nothing at all where the data starves.
    a_stall_that_the_browser_does_not_tell_of,
    "0    source /film.mp4
     0    load 60
     0    play
     10   starve 3
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 rebuffer cause=network took_ms=3000 @10
  18.000 quartile ladder=watched percent=25 @15
  18.000 quartile ladder=position percent=25 @15
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=3000 played_ms=17000 content_ms=17000 engaged_ms=17000 rebuffered=1 ladder_plays=1 played_ms_other=17000 startup_ms=1 reached_25=1 position_25=1 watched=28% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_that_nobody_tells_of_in_a_hidden_page,
    "0    source /film.mp4
     0    load 60
     0    play
     5    hide
     6    starve 10
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 visibility visible=false @5
   6.000 rebuffer cause=network took_ms=10000 @6
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 rebuffers=1 rebuffer_ms=10000 played_ms=10000 content_ms=10000 engaged_ms=5000 hidden_ms=5000 rebuffered=1 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    a_stall_of_less_than_a_second_that_nobody_tells_of_is_not_seen_and_not_played,
    "0    source /film.mp4
     0    load 60
     0    play
     10   starve 0.7
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.700 quartile ladder=watched percent=25 @15
  15.700 quartile ladder=position percent=25 @15
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=19300 content_ms=19300 engaged_ms=19300 ladder_plays=1 played_ms_other=19300 startup_ms=1 reached_25=1 position_25=1 watched=32% active=1 stop_reason=closed
"
);

timeline!(
    an_advertisement_that_stalls_is_no_stall_of_the_content,
    "0    source /film.mp4
     0    load 60
     0    play
     5    adbreak on
     6    stall 3
     12   adbreak off
     20   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 ad_break on=true @5
  12.000 ad_break on=false @9
  18.000 quartile ladder=position percent=25 @15
  20.000 stop reason=closed
slice 0 at 0.000 for 20.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=13000 content_ms=13000 engaged_ms=13000 ad_ms=7000 ladder_plays=1 played_ms_other=13000 startup_ms=1 position_25=1 watched=21% active=1 stop_reason=closed
"
);
