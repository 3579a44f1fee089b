//! Played time, content time, waiting and pauses.

use crate::timeline;

timeline!(
    a_short_film_from_beginning_to_end,
    "0    source /film.mp4
     0.2  load 8
     1    play 0.3
     15   leave",
    @"
   0.200 impression
   1.000 play_request @0
   1.300 play @0
   3.300 quartile watched 25 @2
   3.300 quartile position 25 @2
   5.300 quartile watched 50 @4
   5.300 quartile position 50 @4
   7.300 quartile watched 75 @6
   7.300 quartile position 75 @6
   9.300 quartile watched 100 @8
   9.300 quartile position 100 @8
   9.300 end @8
  15.000 stop ended
slice 0 at 0.200 for 14.800: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=8000 content_ms=8000 wait_ms=300 ladder_plays=1 startup_ms=300 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    /// What the viewer paused is neither played nor waited.
    a_pause_and_a_resume,
    "0    source /film.mp4
     0    load 60
     1    play 0.2
     6.2  pause
     16.2 play
     20.2 leave",
    @"
   0.000 impression
   1.000 play_request @0
   1.200 play @0
   6.200 pause @5
  16.200 resume @5
  20.200 stop closed
slice 0 at 0.000 for 20.200: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 stops=1 played_ms=9000 content_ms=9000 wait_ms=200 paused_ms=10000 ladder_plays=1 startup_ms=200 watched=15% active=1 stop_reason=closed
"
);

timeline!(
    /// Ten seconds, a seek to half an hour, ten more: twenty seconds were watched, and not half an hour.
    a_seek_far_ahead_is_not_watched,
    "0    source /film.mp4
     0    load 3600
     0    play
     10   seek 1800 0.5
     20.5 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  11.500 quartile position 25 @1801
  11.500 quartile position 50 @1801
  20.500 stop closed
slice 0 at 0.000 for 20.500: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=20000 content_ms=20000 ladder_plays=1 startup_ms=1 position_25=1 position_50=1 active=1 stop_reason=closed
"
);

timeline!(
    a_stall_of_thirty_seconds_is_not_played,
    "0    source /film.mp4
     0    load 600
     0    play
     10   stall 30
     50   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  50.000 stop closed
slice 0 at 0.000 for 50.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=20000 content_ms=20000 ladder_plays=1 startup_ms=1 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    at_double_speed_twice_as_much_content_passes,
    "0    source /film.mp4
     0    load 60
     0    rate 2
     0    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   7.500 quartile watched 25 @15
   7.500 quartile position 25 @15
  10.000 stop closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=20000 ladder_plays=1 startup_ms=1 reached_25=1 position_25=1 watched=33% active=1 stop_reason=closed
"
);

timeline!(
    /// The viewer gives up before the first frame: a request and a wait, and no play.
    nothing_is_shown_and_the_viewer_leaves,
    "0    source /film.mp4
     0    load 60
     1    play 100
     6    leave",
    @"
   0.000 impression
   1.000 play_request @0
   6.000 stop closed
slice 0 at 0.000 for 6.000: views=1 impressions=1 play_requests=1 stops=1 wait_ms=5000 stop_reason=closed
"
);

timeline!(
    a_pause_while_waiting_stops_the_clock_of_the_startup,
    "0    source /film.mp4
     0    load 60
     1    play 9
     2    pause
     7    play 1
     10   leave",
    @"
   0.000 impression
   1.000 play_request @0
   8.000 play @0
  10.000 stop closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=2000 content_ms=2000 wait_ms=2000 paused_ms=5000 ladder_plays=1 startup_ms=2000 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    time_in_a_hidden_page_is_no_startup,
    "0    source /film.mp4
     0    load 60
     1    play 5
     2    hide
     5    show
     8    leave",
    @"
   0.000 impression
   1.000 play_request @0
   6.000 play @0
   8.000 stop closed
slice 0 at 0.000 for 8.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=2000 content_ms=2000 wait_ms=2000 ladder_plays=1 startup_ms=2000 watched=3% active=1 stop_reason=closed
"
);

timeline!(
    an_error_before_the_first_frame,
    "0    source /film.mp4
     1    play 9
     3    fail MEDIA_ERR_NETWORK
     5    leave",
    @"
   1.000 play_request @0
   3.000 error MEDIA_ERR_NETWORK before_first_frame fatal=true @0
   5.000 stop error
slice 0 at 1.000 for 4.000: views=1 play_requests=1 stops=1 wait_ms=2000 errors=1 fatal_errors=1 start_failures=1 errored=1 stop_reason=error error=MEDIA_ERR_NETWORK/before_first_frame
"
);

timeline!(
    an_error_in_the_middle,
    "0    source /film.mp4
     0    load 60
     0    play
     5    warn bufferStalled
     9    fail MEDIA_ERR_DECODE
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 error bufferStalled mid_stream fatal=false @5
   9.000 error MEDIA_ERR_DECODE mid_stream fatal=true @9
  12.000 stop error
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=9000 content_ms=9000 errors=2 fatal_errors=1 errored=1 ladder_plays=1 startup_ms=1 watched=15% active=1 stop_reason=error error=bufferStalled/mid_stream
"
);

timeline!(
    live_has_no_quartiles,
    "0    source /live.m3u8
     0    load live
     0    play 1
     11   leave",
    @"
   0.000 impression
   0.000 play_request @0
   1.000 play @0
  11.000 stop closed
slice 0 at 0.000 for 11.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 wait_ms=1000 startup_ms=1000 active=1 stop_reason=closed
"
);
