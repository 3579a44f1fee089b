//! Movements of the playhead by the viewer.

use crate::timeline;

timeline!(
    a_seek_takes_time,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 30 1.5
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=30000 took_ms=1500 @5
   7.500 quartile ladder=position percent=25 @31
   7.500 quartile ladder=position percent=50 @31
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=1500 stops=1 played_ms=8500 content_ms=8500 engaged_ms=8500 ladder_plays=1 played_ms_other=8500 startup_ms=1 seek_max_ms=1500 position_25=1 position_50=1 watched=14% active=1 stop_reason=closed
"
);

timeline!(
    dragging_the_slider_is_one_seek,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 10 0.3
     5.2  seek 20 0.3
     5.4  seek 35 0.3
     5.9  seek 40 0.4
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=40000 took_ms=1100 @5
   7.300 quartile ladder=position percent=25 @41
   7.300 quartile ladder=position percent=50 @41
  11.300 quartile ladder=position percent=75 @45
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=1100 stops=1 played_ms=10700 content_ms=10700 engaged_ms=10700 ladder_plays=1 played_ms_other=10700 startup_ms=1 seek_max_ms=1100 position_25=1 position_50=1 position_75=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    seeks_two_seconds_apart_are_two,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 10 0
     7    seek 20 0
     12   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=10000 took_ms=0 @5
   7.000 seek from_ms=12000 to_ms=20000 took_ms=0 @12
   8.000 quartile ladder=position percent=25 @21
  12.000 stop reason=closed
slice 0 at 0.000 for 12.000: views=1 impressions=1 play_requests=1 plays=1 seeks=2 stops=1 played_ms=12000 content_ms=12000 engaged_ms=12000 ladder_plays=1 played_ms_other=12000 startup_ms=1 position_25=1 watched=20% active=1 stop_reason=closed
"
);

timeline!(
    a_seek_backwards,
    "0    source /film.mp4
     0    load 60
     0    play
     20   seek 5 0.2
     25   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  20.000 seek from_ms=20000 to_ms=5000 took_ms=200 @20
  25.000 stop reason=closed
slice 0 at 0.000 for 25.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=200 stops=1 played_ms=24800 content_ms=24800 engaged_ms=24800 ladder_plays=1 played_ms_other=24800 startup_ms=1 seek_max_ms=200 reached_25=1 position_25=1 watched=33% rewatched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_seek_while_paused,
    "0    source /film.mp4
     0    load 60
     0    play
     5    pause
     6    seek 30 0.5
     8    play
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 pause @5
   6.000 seek from_ms=5000 to_ms=30000 took_ms=500 @5
   8.000 resume @30
   9.000 quartile ladder=position percent=25 @31
   9.000 quartile ladder=position percent=50 @31
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 seeks=1 seek_ms=500 stops=1 played_ms=7000 content_ms=7000 paused_ms=2500 engaged_ms=7000 ladder_plays=1 played_ms_other=7000 startup_ms=1 seek_max_ms=500 position_25=1 position_50=1 watched=11% active=1 stop_reason=closed
"
);

timeline!(
    /// Players put the playhead where the viewer left off the last time.
    a_seek_before_the_first_frame_is_a_starting_point,
    "0    source /film.mp4
     0    load 60
     0    seek 30 0.1
     1    play 0.3
     5    leave",
    @"
   0.000 impression
   1.000 play_request @30
   1.300 play @30
   2.300 quartile ladder=position percent=25 @31
   2.300 quartile ladder=position percent=50 @31
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3700 content_ms=3700 wait_ms=300 engaged_ms=3700 ladder_plays=1 played_ms_other=3700 startup_ms=300 position_25=1 position_50=1 watched=6% active=1 stop_reason=closed
"
);

timeline!(
    a_doubled_seeking_is_one_seek,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 30 1
     5.1  seeking
     5.2  seeking
     10   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=30000 took_ms=1000 @5
   7.000 quartile ladder=position percent=25 @31
   7.000 quartile ladder=position percent=50 @31
  10.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=1000 stops=1 played_ms=9000 content_ms=9000 engaged_ms=9000 ladder_plays=1 played_ms_other=9000 startup_ms=1 seek_max_ms=1000 position_25=1 position_50=1 watched=15% active=1 stop_reason=closed
"
);

timeline!(
    a_seek_that_is_not_over_when_the_page_is_left,
    "0    source /film.mp4
     0    load 60
     0    play
     5    seek 30 9
     7    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 seek from_ms=5000 to_ms=30000 took_ms=2000 @5
   7.000 stop reason=closed
slice 0 at 0.000 for 7.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=2000 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 seek_max_ms=2000 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    a_seek_from_the_end_back_into_the_middle,
    "0    source /film.mp4
     0    load 10
     0    play
     12   seek 5 0.2
     13   play
     16   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   2.500 quartile ladder=watched percent=25 @2.5
   2.500 quartile ladder=position percent=25 @2.5
   5.000 quartile ladder=watched percent=50 @5
   5.000 quartile ladder=position percent=50 @5
   7.500 quartile ladder=watched percent=75 @7.5
   7.500 quartile ladder=position percent=75 @7.5
  10.000 quartile ladder=watched percent=100 @10
  10.000 quartile ladder=position percent=100 @10
  10.000 end @10
  12.000 seek from_ms=10000 to_ms=5000 took_ms=200 @10
  16.000 stop reason=closed
slice 0 at 0.000 for 16.000: views=1 impressions=1 play_requests=1 plays=1 seeks=1 seek_ms=200 ends=1 stops=1 played_ms=13000 content_ms=13000 engaged_ms=13000 ladder_plays=1 played_ms_other=13000 startup_ms=1 seek_max_ms=200 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% rewatched=30% active=1 stop_reason=closed
"
);
